/** Imported before the command: throws at SIGUSR2 what nobody catches. */
process.on('SIGUSR2', () => {
  throw new Error('nobody caught this')
})
