"""An emulated Azure Resource Manager, at the wire, on loopback."""
