"""How a process is: what it answers to orchestrators, to people and to Prometheus."""
