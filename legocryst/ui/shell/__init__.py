"""What surrounds every page: navigation, forms, jobs that run, words."""
