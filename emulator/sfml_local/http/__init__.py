"""The account over HTTP: the connector's protocol and the REST API."""
