"""Stories: what a person, a device or a dispatcher lives through, as timelines."""
