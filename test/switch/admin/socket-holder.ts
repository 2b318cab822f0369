/** Listens at the path it is given until it is killed. */
import { createServer } from 'node:net'

createServer((socket) => socket.end()).listen(process.argv[2], () => process.send?.('listening'))
