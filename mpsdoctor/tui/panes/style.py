"""How the tabs are laid out, at each width and height. Read with the first of them, after the first paint."""

from __future__ import annotations

CSS = """
.pane { display: none; height: 1fr; }
.pane.open { display: block; layout: horizontal; }
.pane.zoom > *, .pane.zoom #findings-side > * { display: none; }
.pane.zoom .zoomed { display: block !important; width: 1fr !important; height: 1fr !important; }
.pane > *, #findings-side > * { width: 1fr; height: 1fr; }
.pane Rows, .pane Details { border: round $foreground 30%; border-title-color: $foreground; }
.pane Rows:focus, .pane Details:focus {
    border: heavy $accent; border-title-color: $text-accent; border-title-style: bold;
}
#findings-side > #finding { height: 2fr; }
.pane > #legend, .pane.zoom > #legend { display: block; dock: top; width: 1fr; height: auto; color: $text-muted; }
Screen.-low .pane > #legend { max-height: 1; }
#training-pane.open { layout: vertical; }
#training-pane > #steps { height: 2fr; }
#training-pane > #chart { height: 3fr; }

Screen.-wide #checks-pane > #checks { width: 4fr; }
Screen.-wide #checks-pane > #check { width: 5fr; }
Screen.-wide #operators-pane > #operators { width: 7fr; }
Screen.-wide #operators-pane > #operator { width: 4fr; }

Screen.-narrow .pane.open { layout: vertical; }
Screen.-narrow.-high #checks { height: 10; }
Screen.-narrow.-high #verdict { height: 1fr; }
Screen.-narrow.-high #findings-side { height: 5; }
Screen.-narrow.-high #findings-side:focus-within { height: 67%; }
Screen.-narrow.-high #findings-side > #finding { display: none; }
Screen.-narrow.-high #findings-side:focus-within > #findings { height: 6; }
Screen.-narrow.-high #findings-side:focus-within > #finding { display: block; height: 1fr; }

Screen.-low .pane Rows, Screen.-low .pane Details {
    border: none; border-top: solid $foreground 30%; border-title-color: $foreground; padding: 0; height: 1fr;
}
Screen.-low .pane Rows:focus, Screen.-low .pane Details:focus {
    border: none; border-top: heavy $accent; height: 2fr;
}
Screen.-low .pane > #findings-side { height: 1fr; }
Screen.-low .pane > #findings-side:focus-within { height: 2fr; }
Screen.-low #findings-side > #finding { display: none; }
"""
