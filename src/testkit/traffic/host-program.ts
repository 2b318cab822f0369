/**
 * What a host's lcores run: the first receives, answers, pings and sends; further ones only send, each to a tx queue of
 * its own.
 *
 * @packageDocumentation
 */
import type { Burst } from '../../burst/burst.js'
import { parseMac, readMac, writeMac } from '../../headers/mac.js'
import type { PortDirectory, Program, ProgramContext } from '../../programs/program.js'
import { type CaptureFilter, FrameStore } from './capture.js'
import { Pinger, type PingOrder } from './pinger.js'
import { Receiver, Taken } from './receiver.js'
import type { ReceivedReport, SendResult } from './reports.js'
import { Responder } from './responder.js'
import { RingAcceptance } from './ring-acceptance.js'
import { Sender, type SendOrder } from './sender.js'

/** What a host's program is made with. */
export interface HostData {
  readonly port: string
  readonly mac: string
  readonly addresses: readonly string[]
  readonly queue: number
}

/** What a host's program can be asked. */
export type HostRequest =
  | { readonly kind: 'own'; readonly stream: number }
  | { readonly kind: 'echo'; readonly on: boolean }
  | { readonly kind: 'send'; readonly order: SendOrder }
  | { readonly kind: 'sent'; readonly stream: number }
  | { readonly kind: 'stopSending'; readonly stream: number }
  | { readonly kind: 'ping'; readonly order: PingOrder }
  | { readonly kind: 'received' }
  | { readonly kind: 'receivedOf'; readonly stream: number }
  | { readonly kind: 'forget' }
  | { readonly kind: 'sendFrame'; readonly frame: Uint8Array }
  | { readonly kind: 'capture'; readonly id: number; readonly filter: CaptureFilter }
  | {
      readonly kind: 'take'
      readonly id: number
      readonly count: number
      readonly timeoutMs: number
    }
  | { readonly kind: 'endCapture'; readonly id: number }

export class HostProgram implements Program {
  readonly name = 'test-host'
  readonly #data: HostData
  readonly #receiver: Receiver
  readonly #responder: Responder
  readonly #pinger: Pinger
  readonly #accepted: RingAcceptance
  readonly #outbox: Uint8Array[] = []
  readonly #captures = new Map<number, FrameStore>()
  readonly #finished = new Map<number, (result: SendResult) => void>()
  #stores: readonly FrameStore[] = []
  #senders: Sender[] = []
  #port = -1
  #echo = false
  #turn = 0
  #control = 0
  #other = 0
  /** What was handed to the ring in the last burst: answers and single frames first, then numbered ones. */
  #handedFirst = 0
  #handedMade = 0
  #handedBy: Sender | undefined
  #acceptedBefore = 0

  constructor(data: HostData) {
    this.#data = data
    const mac = parseMac(data.mac)
    this.#receiver = new Receiver(mac)
    this.#responder = new Responder(mac, data.addresses)
    this.#pinger = new Pinger(mac, (frame) => this.#outbox.push(frame))
    this.#accepted = new RingAcceptance(data.queue)
  }

  portsChanged(ports: PortDirectory): void {
    this.#port = ports.ids.get(this.#data.port) ?? -1
    if (this.#port >= 0) this.#accepted.setPort(this.#port)
  }

  burst(burst: Burst): void {
    this.#settle(burst)
    const { count } = burst
    let answers = 0
    for (let i = 0; i < count; i++) {
      const taken = this.#receiver.take(burst, i)
      const numbered = taken !== Taken.no
      for (const store of this.#stores) {
        if (!numbered || store.numbered) store.see(burst, i)
      }
      if (numbered) {
        if (this.#echo && taken === Taken.others) {
          swapMacs(burst.view, burst.offset[i] as number)
          burst.outPort[i] = burst.inPort
          answers += 1
        }
        continue
      }
      if (this.#responder.answer(burst, i)) {
        burst.outPort[i] = burst.inPort
        answers += 1
        this.#control += 1
      } else if (this.#pinger.take(burst, i)) {
        this.#control += 1
      } else {
        this.#other += 1
      }
    }
    this.#pump(burst, answers)
  }

  idle(burst: Burst): boolean {
    this.#settle(burst)
    this.#pump(burst, 0)
    return this.#senders.length > 0 && this.#busy(burst.now)
  }

  message(message: unknown): unknown {
    const request = message as HostRequest
    switch (request.kind) {
      case 'own':
        this.#receiver.own(request.stream)
        return undefined
      case 'echo':
        this.#echo = request.on
        return undefined
      case 'send':
        return this.#send(request.order)
      case 'sent':
        return this.#sender(request.stream)?.result()
      case 'stopSending':
        return this.#sender(request.stream)?.stop()
      case 'ping':
        return this.#pinger.ping(request.order)
      case 'received':
        return this.#report()
      case 'receivedOf':
        return this.#receiver.reportOf(request.stream)
      case 'forget':
        this.#receiver.reset()
        this.#control = 0
        this.#other = 0
        return undefined
      case 'sendFrame':
        this.#outbox.push(request.frame)
        return undefined
      case 'capture':
        return this.#setCapture(request.id, new FrameStore(request.filter))
      case 'take':
        return this.#captures.get(request.id)?.take(request.count, request.timeoutMs) ?? []
      case 'endCapture':
        return this.#setCapture(request.id, undefined)
    }
  }

  #report(): ReceivedReport {
    return { ...this.#receiver.report(), control: this.#control, other: this.#other }
  }

  #setCapture(id: number, store: FrameStore | undefined): void {
    if (store === undefined) this.#captures.delete(id)
    else this.#captures.set(id, store)
    this.#stores = [...this.#captures.values()]
  }

  #send(order: SendOrder): Promise<SendResult> {
    return new Promise((resolve) => {
      this.#finished.set(order.stream, resolve)
      this.#senders.push(
        new Sender(order, this.#receiver.own(order.stream), (result) => {
          this.#finished.get(order.stream)?.(result)
          this.#finished.delete(order.stream)
        }),
      )
    })
  }

  #sender(stream: number): Sender | undefined {
    return this.#senders.find(({ order }) => order.stream === stream)
  }

  /** The last burst has been sent by now: finds out how much of it the ring took. */
  #settle({ now }: Burst): void {
    const sender = this.#handedBy
    if (sender === undefined) return
    this.#handedBy = undefined
    const accepted = this.#accepted.frames - this.#acceptedBefore - this.#handedFirst
    sender.settle(this.#handedMade, Math.max(accepted, 0), now)
    sender.endIfDone(now)
    if (sender.ended) this.#senders = this.#senders.filter(({ ended }) => !ended)
  }

  /** Adds what is to be sent to the burst. */
  #pump(burst: Burst, answers: number): void {
    let first = answers
    while (this.#outbox.length > 0) {
      const frame = this.#outbox[0] as Uint8Array
      const index = burst.create(frame.length)
      // The burst is full: the rest goes with the next.
      if (index < 0 && burst.total > 0) break
      this.#outbox.shift()
      if (index < 0) continue
      burst.bytes.set(frame, burst.offset[index] as number)
      burst.outPort[index] = this.#port
      first += 1
    }
    const senders = this.#senders
    if (senders.length === 0) return
    // One after the other, a burst each.
    this.#turn = this.#turn + 1 < senders.length ? this.#turn + 1 : 0
    const sender = senders[this.#turn] as Sender
    this.#handedFirst = first
    this.#acceptedBefore = this.#accepted.frames
    this.#handedMade = sender.fill(burst, this.#port)
    this.#handedBy = sender
  }

  #busy(now: number): boolean {
    for (const sender of this.#senders) if (sender.busy(now)) return true
    return false
  }
}

function swapMacs(view: DataView, at: number): void {
  const destination = readMac(view, at)
  writeMac(view, at, readMac(view, at + 6))
  writeMac(view, at + 6, destination)
}

/** Makes the program of one of a host's lcores. */
export default function hostProgram({ data, ports }: ProgramContext): Program {
  const program = new HostProgram(data as HostData)
  program.portsChanged(ports)
  return program
}
