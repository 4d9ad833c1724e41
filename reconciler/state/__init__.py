"""Stores: what must survive a crash, behind ``reconciler.ports.Store``."""
