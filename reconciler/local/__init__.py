"""Stand-ins that run on this machine: an emulated cloud, at the wire."""
