import type { CommandResult, VirtualMachine } from '../../../src/testkit/index.js'
import { SLOW } from './guests.js'

/** Slow enough to last, and to be kept by the sender. */
const SOURCE = `#!/bin/sh
printf 'Content-Type: application/octet-stream\r\n\r\n'
while [ ! -e /tmp/enough ]; do
  dd if=/dev/urandom bs=8k count=1 2>/dev/null
  usleep 20000
done | tee /tmp/sent`

const SERVE = `
rm -f /tmp/enough
mkdir -p /tmp/cgi-bin
echo ${Buffer.from(SOURCE).toString('base64')} | base64 -d >/tmp/cgi-bin/stream
chmod +x /tmp/cgi-bin/stream
httpd -h /tmp`

/** One TCP connection from guest to guest, with as many bytes as there is time for. */
export class TcpStream implements AsyncDisposable {
  readonly #from: VirtualMachine
  readonly #to: VirtualMachine
  readonly #received: Promise<CommandResult>

  static async start(from: VirtualMachine, to: VirtualMachine): Promise<TcpStream> {
    const { output, exitCode } = await from.run(SERVE, SLOW)
    if (exitCode !== 0) throw new Error(`${from.spec.name} cannot serve: ${output}`)
    return new TcpStream(from, to)
  }

  private constructor(from: VirtualMachine, to: VirtualMachine) {
    this.#from = from
    this.#to = to
    const [address] = from.spec.addresses[0]?.split('/') ?? []
    const fetch = `wget -qO- http://${address}/cgi-bin/stream | tee /tmp/received | sha256sum`
    this.#received = to.run(fetch, { timeoutMs: 300_000 })
    this.#received.catch(() => {})
  }

  /** Resolves when more bytes have arrived than have until now. */
  async goesOn(): Promise<void> {
    const { output } = await this.#to.run(
      `touch /tmp/received
       size() { wc -c </tmp/received; }
       before=$(size)
       while [ $(size) -lt $((before + 50000)) ]; do usleep 100000; done; echo on`,
      SLOW,
    )
    if (output !== 'on\n') throw new Error(`the stream cannot be watched: ${output}`)
  }

  /** Ends it, and gives the checksum of what was received. */
  async received(): Promise<string> {
    await this.#from.run('touch /tmp/enough')
    return (await this.#received).output
  }

  /** The checksum of what was sent. */
  async sent(): Promise<string> {
    return (await this.#from.run('sha256sum </tmp/sent')).output
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#from.run('touch /tmp/enough').catch(() => {})
  }
}
