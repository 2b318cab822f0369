/** Sends numbered datagrams to `address port` every `interval` milliseconds until its input ends. */
import { createSocket } from 'node:dgram'

const [address, port, interval] = process.argv.slice(2)
const socket = createSocket('udp4')
// An interface that is being removed is no reason to complain.
socket.on('error', () => process.exit())
let number = 0
setInterval(
  () => socket.send(`frame ${number++}`, Number(port), address, () => {}),
  Number(interval),
)
process.stdin.on('end', () => process.exit()).resume()
