"""Parts that several pages share: figures, tables, 3D views."""
