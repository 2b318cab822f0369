/** A learning switch that lets nobody telnet. Arguments: the sockets on which the guests' QEMUs listen. */
import { type Burst, Datapath } from 'dpdk-vhost'
import { ethernet, Headers, Protocol, tcp } from 'dpdk-vhost/headers'

const headers = new Headers()
const portOf = new Map<number, number>()

/** Decides one burst: sets `outPort` of each frame; what it leaves alone is dropped. */
function noTelnet(burst: Burst): void {
  for (let i = 0; i < burst.count; i++) {
    if (!headers.parse(burst, i)) continue
    const { protocol, l2, l4 } = headers
    if (protocol === Protocol.tcp && l4 >= 0 && tcp.destinationPort(burst.view, l4) === 23) continue

    portOf.set(ethernet.source(burst.view, l2), burst.inPort)
    const out = portOf.get(ethernet.destination(burst.view, l2))
    if (out !== undefined) burst.outPort[i] = out
    else flood(burst, i)
  }
}

function flood(burst: Burst, index: number): void {
  for (let i = 0; i < burst.readyCount; i++) {
    const port = burst.readyPorts[i] as number
    if (port !== burst.inPort) burst.copyTo(index, port)
  }
}

const datapath = await Datapath.open()
datapath.on('port', ({ port, state, reason }) => console.log(port, state, reason ?? ''))
for (const [i, path] of process.argv.slice(2).entries()) {
  await datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })
}
await datapath.run(noTelnet)
process.once('SIGINT', () => datapath.close())
