"""The routes of the API, one module for each service: tables of request classes."""
