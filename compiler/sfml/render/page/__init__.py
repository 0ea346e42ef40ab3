"""The graph as a picture (SVG) and as a page (HTML) that needs nothing but itself."""
