"""Who asks: sessions, and the ways to begin one."""
