"""Debug logs of HTTP clients, cloud SDKs and frameworks."""
