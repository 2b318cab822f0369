/** No program. */
export default () => ({ name: 'nothing' })
