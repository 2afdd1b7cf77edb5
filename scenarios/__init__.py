"""The bundled scenarios, one YAML file an experiment."""
