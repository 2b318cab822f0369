// Each step of plugging, changing and unplugging fails once: nothing is half there, and the next time it is done.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { NoSwitchError, RefusedError } from '../../../src/switch/admin/client-error.js'
import type { AgentSwitch } from '../../../src/switch/agent/agent.js'
import type { Records } from '../../../src/switch/agent/records.js'
import { until } from '../../support/loopback.js'
import { RunningSwitch } from '../cli/vswitch.js'
import { NAME, neutronPort, Stage, SWITCH, vlan } from './stage.js'

const LIMIT = { timeout: 240_000 }

/** Lets a number of calls pass, and has the next one fail: before it is done, or after, when nobody knows that it was. */
class Trouble {
  left = Number.POSITIVE_INFINITY
  readonly when: 'before' | 'after'
  /** What failed. */
  failed: string | undefined

  constructor(when: 'before' | 'after') {
    this.when = when
  }

  wrap<T extends object>(target: T, names: readonly (keyof T & string)[], error: () => Error): T {
    return new Proxy(target, {
      get: (object, name) => {
        const value = Reflect.get(object, name, object)
        if (typeof value !== 'function') return value
        if (!names.includes(name as keyof T & string)) return value.bind(object)
        return async (...args: unknown[]) => {
          if (this.left-- !== 0) return value.apply(object, args)
          this.failed = String(name)
          if (this.when === 'after') await value.apply(object, args)
          throw error()
        }
      },
    })
  }
}

suite('every step fails once', LIMIT, () => {
  let running: RunningSwitch
  before(async () => {
    running = await RunningSwitch.start(SWITCH)
  }, LIMIT)
  after(() => running[Symbol.asyncDispose]())

  const refused = () => new RefusedError(409, { code: 'ERR', message: 'refused by the test' })
  const gone = () => {
    const cause = Object.assign(new Error('test'), { code: 'ECONNRESET' })
    return new NoSwitchError('/test', cause)
  }
  const full = () => Object.assign(new Error('no space left by the test'), { code: 'ENOSPC' })

  const kinds = [
    ['the switch refuses', 'before', refused],
    ['the switch goes away before', 'before', gone],
    ['the switch goes away after', 'after', gone],
    ['the state cannot be written', 'before', full],
  ] as const

  for (const [what, when, error] of kinds) {
    test(what, async () => {
      const stage = await Stage.start(running.folder.path, running.socket)
      const trouble = new Trouble(when)
      const ofSwitch = error !== full
      const commands = ['portAdd', 'portSet', 'portDelete'] as const
      const restart = () =>
        stage.restart({
          client: ofSwitch
            ? trouble.wrap<AgentSwitch>(stage.client, commands, error)
            : stage.client,
          wrap: (records) =>
            ofSwitch ? records : trouble.wrap<Records>(records, ['put', 'delete'], error),
        })
      const socket = running.path('a.sock')
      const file = (tag: number) => ({ port: neutronPort(socket), network: vlan(tag) })
      const wishes: [what: string, wish: () => void, isDone: () => Promise<boolean>][] = [
        ['plug', () => stage.write('a', file(10)), async () => (await stage.port())?.tag === 10],
        ['change', () => stage.write('a', file(20)), async () => (await stage.port())?.tag === 20],
        ['unplug', () => stage.remove('a'), async () => (await stage.port()) === undefined],
      ]
      for (const [wanted, wish, isDone] of wishes) {
        // Until no step is left that could fail.
        for (let step = 0; ; step++) {
          const before = await stage.port()
          await restart()
          // What there is already is looked at first.
          await stage.step()
          wish()
          trouble.left = step
          trouble.failed = undefined
          await stage.step()
          trouble.left = Number.POSITIVE_INFINITY
          if (trouble.failed === undefined) {
            assert.ok(await isDone(), wanted)
            assert.ok(step > 0, 'a step has failed')
            break
          }
          const port = await stage.port()
          const where = `${wanted}, step ${step}: ${trouble.failed}`
          assert.ok(
            stage.lines.some((line) => /^error .*(test|went away)/.test(line)),
            `${where} is in the log`,
          )
          // Whatever is in the switch is known to be ours, and it is all of it or none.
          if (port !== undefined) assert.ok(stage.records.get('a')?.options, where)
          const wasUndone = port?.tag === before?.tag
          // Of a switch that went away nobody knows what it did; and what is gone is gone.
          const mayBeDone = error === gone || (error === full && wanted === 'unplug')
          assert.ok(wasUndone || (mayBeDone && (await isDone())), `${where}: ${port?.tag}`)
          // The agent is killed there, and another one does the rest.
          if (step % 2 === 0) await restart()
          await until(where, async () => {
            await stage.step()
            return await isDone()
          })
          await stage.step()
          assert.deepEqual(stage.states(), wanted === 'unplug' ? [] : ['a.json'], where)
          await goBack(stage, wanted, file)
        }
      }
      assert.deepEqual(stage.states(), [])
      assert.deepEqual(await stage.client.ports(), [])
    })
  }

  /** As it was before a wish. */
  async function goBack(stage: Stage, wish: string, file: (tag: number) => object): Promise<void> {
    if (wish === 'plug') stage.remove('a')
    else stage.write('a', file(wish === 'change' ? 10 : 20))
    await until('it is as before', async () => {
      await stage.step()
      const port = await stage.port(NAME)
      return port?.tag === { plug: undefined, change: 10, unplug: 20 }[wish]
    })
  }
})
