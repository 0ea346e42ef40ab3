echo done here
