"""The hostile pass: what strangers, broken devices and curious colleagues may send to the hub."""
