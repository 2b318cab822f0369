/** The soak in small: `npm run test:soak` is the whole. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from '../headers/random.js'
import { DISTURBANCES } from './disturbances.js'
import { mistakes, type Page } from './ledger.js'
import { readOptions, soak } from './main.js'
import { Stage } from './stage.js'

describe('soak', () => {
  test('a few seconds of everything: each frame is accounted for, nothing grows', {
    timeout: 120_000,
  }, async () => {
    const lines: string[] = []
    const given = { minutes: 0.1, connections: 10, kills: 2, seed: 20 }
    const report = await soak(given, (line) => lines.push(line))
    assert.deepEqual(Object.keys(report), ['mix', 'connections', 'kills'])
  })

  test('every disturbance ends as it began', { timeout: 120_000 }, async () => {
    await using stage = new Stage()
    await stage.start()
    for (const [what, disturb] of Object.entries(DISTURBANCES)) {
      await disturb(stage, new Random(1)).catch((error: Error) => {
        assert.fail(`${what}: ${error.message}\n${stage.vswitch.log}`)
      })
    }
    await stage.linksUp()
    await stage.pingAll()
  })

  test('books that do not balance are noticed', () => {
    const page = (received: number, sent: number, got: number) =>
      ({
        stats: {
          ports: { a: { rx: { frames: received, droppedOversize: 0 }, tx: { frames: sent } } },
        },
        lcores: [],
        guests: [{ name: 'a', lives: 1, generation: 1, sent: received, received: got }],
        remade: {},
      }) as unknown as Page
    assert.deepEqual(mistakes(page(0, 0, 0), page(5, 5, 5)), [])
    assert.deepEqual(mistakes(page(0, 0, 0), page(5, 5, 4)), [
      'a: sent by the switch, received: 5 became 4, with 0 cuts',
    ])
    assert.deepEqual(mistakes(page(0, 0, 0), page(5, 4, 4)), [
      'the switch: 5 came, were made or copied; 4 went or were dropped',
    ])
  })

  test('options', () => {
    assert.deepEqual(
      readOptions(['--minutes', '0.5', '--kills', '3', '--connections', '0', '--seed', '7']),
      {
        minutes: 0.5,
        connections: 0,
        kills: 3,
        seed: 7,
      },
    )
    assert.throws(
      () => readOptions(['--kills', '1.5']),
      /--kills = "1.5" is no whole number from 0 on/,
    )
    assert.throws(
      () => readOptions(['--minutes', 'ten']),
      /--minutes = "ten" is no number from 0 on/,
    )
    assert.equal(readOptions(['--help']), undefined)
  })
})
