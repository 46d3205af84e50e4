"""The review console: NiceGUI pages, media routes and the REST interface over the anomalyos library."""
