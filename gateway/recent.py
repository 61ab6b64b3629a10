"""What was looked up a moment ago, believed for a while without asking again."""
