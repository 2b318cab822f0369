import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Binds a Unix datagram socket, which Node.js cannot, and prints each datagram and its sender's pid as a line of JSON. */
const SCRIPT = `
import json, socket, struct, sys
path = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind('\\0' + path[1:] if path.startswith('@') else path)
print(json.dumps('bound'), flush=True)
if len(sys.argv) > 2:
    sys.stdin.read()
while True:
    text, more, _, _ = receiver.recvmsg(65536, 1024)
    pid = struct.unpack('3i', more[0][2])[0]
    print(json.dumps({'pid': pid, 'text': text.decode()}), flush=True)
`

/** A datagram, and the process that sent it. */
export interface Datagram {
  readonly pid: number
  readonly text: string
}

/** Receives datagrams at a Unix socket, as a service manager does. */
export class DatagramReceiver implements AsyncDisposable {
  /** All that came so far. */
  readonly datagrams: Datagram[] = []
  readonly #process: ChildProcess
  #wake = () => {}

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  /** @param path - `@` for an abstract one. @param deaf - whether it reads nothing */
  static async start(path: string, { deaf = false } = {}): Promise<DatagramReceiver> {
    const args = ['-c', SCRIPT, path, ...(deaf ? ['deaf'] : [])]
    const child = spawn('python3', args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 240_000,
      killSignal: 'SIGKILL',
    })
    const lines = createInterface({ input: child.stdout })
    const receiver = new DatagramReceiver(child)
    await once(lines, 'line')
    lines.on('line', (line) => {
      receiver.datagrams.push(JSON.parse(line))
      receiver.#wake()
    })
    return receiver
  }

  /** Resolves to the first datagram from the `from`th on that has `text` in it, and how many there were before. */
  async find(text: string, from = 0): Promise<Datagram & { readonly at: number }> {
    for (;;) {
      const at = this.datagrams.findIndex((one, i) => i >= from && one.text.includes(text))
      if (at >= 0) return { at, ...(this.datagrams[at] as Datagram) }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await once(this.#process, 'exit')
    }
  }
}
