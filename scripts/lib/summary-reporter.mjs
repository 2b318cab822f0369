// A reporter for node's test runner that only closes: a line for each suite, once all have ended.

/** @param {AsyncIterable<{ type: string, data: { nesting: number, name: string, details: { type?: string, duration_ms: number } } }>} events */
export default async function* summary(events) {
  const lines = []
  let [passed, all] = [0, 0]
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const good = type === 'test:pass'
    if (data.details.type !== 'suite') {
      all += 1
      if (good) passed += 1
    }
    // A suite is reported after all that is in it.
    if (data.nesting > 0) continue
    const seconds = Math.round(data.details.duration_ms / 1000)
    lines.push(
      `${good ? '✔' : '✖'} ${data.name.padEnd(48)} ${`${passed} of ${all}`.padStart(9)} ${`${seconds} s`.padStart(7)}\n`,
    )
    passed = all = 0
  }
  yield `\nIn short:\n${lines.join('')}`
}
