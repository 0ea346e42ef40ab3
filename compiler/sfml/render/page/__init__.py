"""The graph as a picture (SVG) and as a self-contained page (HTML)."""
