"""Tables, views and sequences as objects: SHOW, DESCRIBE, GET_DDL, keys and properties."""
