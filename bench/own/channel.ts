import { fileURLToPath } from 'node:url'
import { BenchProcess } from '../process.js'

const ANSWER_MS = 10_000

/** A process of ours that answers questions: a script that is given an object at its start. */
export class Channel<Request extends object, Reply extends { readonly kind: string }>
  implements AsyncDisposable
{
  readonly process: BenchProcess

  constructor(name: string, script: URL, start: object, folder: string) {
    const args = [fileURLToPath(script), JSON.stringify(start)]
    this.process = new BenchProcess(name, process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, RUNTIME_DIRECTORY: folder },
    })
  }

  /** Sends a request, and waits for the reply of that kind. */
  ask<K extends Reply['kind']>(request: Request, kind: K, takesMs = 0) {
    const reply = this.reply(kind, ANSWER_MS + takesMs)
    this.process.child.send(request)
    return reply
  }

  /** Waits for the next message of that kind. */
  async reply<K extends Reply['kind']>(
    kind: K,
    timeoutMs: number,
  ): Promise<Extract<Reply, { kind: K }>> {
    const { child } = this.process
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<Extract<Reply, { kind: K }>>((resolve, reject) => {
      const listener = (reply: Reply) => {
        if (reply.kind !== kind) return
        child.off('message', listener)
        resolve(reply as Extract<Reply, { kind: K }>)
      }
      child.on('message', listener)
      timer = setTimeout(
        () => reject(new Error(`no answer '${kind}' within ${timeoutMs} ms`)),
        timeoutMs,
      )
    })
    return Promise.race([answer, this.process.failed]).finally(() => clearTimeout(timer))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]()
  }
}
