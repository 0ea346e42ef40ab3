"""`sfml ui`: the operations of the command line as pages in a browser, served on this machine alone."""
