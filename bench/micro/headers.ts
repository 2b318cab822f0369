import { do_not_optimize } from 'mitata'
import { ethernet, Headers, ipv4, udp } from '../../src/headers/index.js'
import { udpFrames } from './frames.js'
import type { Operation } from './operation.js'

/** Reading and rewriting headers in packet memory. */
export function headerOperations(): Operation[] {
  const frames = udpFrames()
  const { view, offset, count } = frames
  const headers = new Headers()
  const operation = (name: string, run: () => void): Operation => {
    return { group: 'Headers of a UDP frame, in bursts of 32', name, per: count, run }
  }

  // Each with a loop of its own, as in a program: a loop they shared would call them through a pointer.
  return [
    operation('ethernet.destination', () => {
      let sum = 0
      for (let i = 0; i < count; i++) sum += ethernet.destination(view, offset[i] as number)
      do_not_optimize(sum)
    }),
    operation('ethernet.type', () => {
      let sum = 0
      for (let i = 0; i < count; i++) sum += ethernet.type(view, offset[i] as number)
      do_not_optimize(sum)
    }),
    operation('ethernet.swapAddresses', () => {
      for (let i = 0; i < count; i++) ethernet.swapAddresses(view, offset[i] as number)
    }),
    operation('Headers.parse', () => {
      let sum = 0
      for (let i = 0; i < count; i++) if (headers.parse(frames, i)) sum += headers.l4
      do_not_optimize(sum)
    }),
    operation('Headers.parse, IP addresses, UDP ports', () => {
      let sum = 0
      for (let i = 0; i < count; i++) {
        if (!headers.parse(frames, i)) continue
        sum += ipv4.source(view, headers.l3) ^ ipv4.destination(view, headers.l3)
        sum += udp.sourcePort(view, headers.l4) + udp.destinationPort(view, headers.l4)
      }
      do_not_optimize(sum)
    }),
  ]
}
