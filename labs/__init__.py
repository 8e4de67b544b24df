"""Sources of the lab notebooks and the builder that turns them into notebooks."""
