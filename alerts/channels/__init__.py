"""One small file a channel; each hands over and never decides."""
