"""Hosts as network, process and host-name namespaces of one Linux machine; only root may create them."""
