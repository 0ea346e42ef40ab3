ROWS = (1,
