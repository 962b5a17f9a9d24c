"""Packets: captures of them, and what tshark makes of those."""
