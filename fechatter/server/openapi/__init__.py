"""The contract as a document (OpenAPI 3.1), made from the routes themselves and what operations.py says of each."""

from fechatter.server.openapi.document import document

__all__ = ["document"]
