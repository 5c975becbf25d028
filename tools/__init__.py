"""What `make` calls: set up, start, check. Nothing here is imported by the application.

Modules that run before the virtual environment exists (`paths`, `errors`, `bootstrap`,
`compile_messages`) use the standard library only.
"""
