// An engine process that never comes up.
process.exit(3)
