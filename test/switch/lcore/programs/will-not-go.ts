/** A user's program that throws when it is to end. */
export default () => ({
  name: 'will-not-go',
  burst() {},
  close() {
    throw new Error('no')
  },
})
