"""The contract between devices and the hub: golden examples, schemas and documents agree."""
