"""Logs of servers, proxies and services, a line, record or span a request."""
