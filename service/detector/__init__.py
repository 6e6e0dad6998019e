"""When a cascade opens, grows and closes. Pure: no I/O, no clock, no metrics; everything comes as an argument."""
