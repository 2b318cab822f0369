/** The program of program.yaml: floods what it may, and lets nobody connect to one TCP port. */
import type { Burst, ProgramContext, ProgramFunction } from 'dpdk-vhost'
import { Headers, Protocol, tcp } from 'dpdk-vhost/headers'

export default function makeNoTelnet({ data }: ProgramContext): ProgramFunction {
  const { port } = data as { port: number }
  const headers = new Headers()

  return (burst: Burst) => {
    for (let i = 0; i < burst.count; i++) {
      if (!headers.parse(burst, i)) continue
      const { protocol, l4 } = headers
      if (protocol === Protocol.tcp && l4 >= 0 && tcp.destinationPort(burst.view, l4) === port)
        continue
      for (let j = 0; j < burst.readyCount; j++) {
        const out = burst.readyPorts[j] as number
        if (out !== burst.inPort) burst.copyTo(i, out)
      }
    }
  }
}
