/** Ends its thread while it is loaded. */
process.exit(3)
