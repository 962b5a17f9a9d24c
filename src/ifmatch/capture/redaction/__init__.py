"""Hide what is secret in captures and diagnoses, by position first, by pattern second.

`ifmatch.capture.redact.Redactor` is the entrance; the modules here each know one place where secrets stand.
"""
