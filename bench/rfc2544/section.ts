import { validateLaunchOptions } from '../../src/config/index.js'
import { availableOf } from '../available.js'
import { Calibrator } from '../calibration/calibrator.js'
import type { Contender } from '../contender.js'
import { waitUntilQuiet } from '../quiet.js'
import type { Context, Section } from '../section.js'
import { Turns } from '../twice.js'
import { OPTIONS, PAIR, rfc2544Options, sideBySideSeconds, turnSeconds } from './options.js'
import type { Rfc2544Result, Turn } from './result.js'
import { figures, show } from './show.js'
import { type SideBySide, sideBySide } from './side-by-side.js'
import { takeTurn } from './turn.js'

/** The highest rate without loss, and how late frames are at shares of it. */
export const rfc2544Section: Section<Rfc2544Result> = {
  name: 'rfc2544',
  title: 'How many frames a second without loss, and how late they are',
  contenders: PAIR,
  options: OPTIONS,
  seconds: (effort, asked) => {
    const options = rfc2544Options(asked ?? { effort })
    const turns = options.contenders.length * options.rounds * turnSeconds(options)
    return Math.ceil(turns + sideBySideSeconds(options, options.contenders))
  },
  check: (asked) => void availableOf(rfc2544Options(asked).contenders, asked),
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<Rfc2544Result> {
  const { contenders: asked, limitSeconds, ...rules } = rfc2544Options(context)
  const { cpus, memory, patienceSeconds, signal } = context
  const contenders = availableOf(asked, context, context.say)
  const runs = contenders.map(({ name }) => ({ name, rounds: [] as Turn[] }))
  const shared = { ...rules, burst: validateLaunchOptions().burst, cpus, memory }
  await using calibrator = new Calibrator(cpus.switch, cpus.generator)
  const stops = await calibrator.stops()
  const attempts = new Turns(context)
  let beside: SideBySide | undefined
  const result = () => ({
    rules,
    stops,
    runs: runs.filter(({ rounds }) => rounds.length > 0),
    ...(beside && { sideBySide: beside }),
  })
  const turns = rules.rounds * contenders.length
  const sideTakes = sideBySideSeconds(rules, contenders)
  const turnsTake = turns * turnSeconds(rules)
  const share = turnsTake / (turnsTake + sideTakes)
  const begun = performance.now()
  for (let turn = 0; turn < turns; turn++) {
    const elapsed = (performance.now() - begun) / 1000
    const isNewRound = turn > 0 && turn % contenders.length === 0
    if (isNewRound && elapsed * (1 + contenders.length / turn) > limitSeconds) break
    const contender = contenders[turn % contenders.length] as Contender
    context.progress(`${contender.name}, ${rules.ring} ring`, (share * turn) / turns)
    await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, signal)
    const before = await calibrator.roundTrip()
    const take = () => takeTurn(contender, shared, rules, signal)
    const taken = await attempts.take(contender.name, take)
    if (taken === undefined) continue
    const roundTrip = Math.max(before, await calibrator.roundTrip())
    runs[turn % contenders.length]?.rounds.push({ ...taken, roundTrip })
    context.keep?.(result())
  }
  const { sideSeconds = 0 } = rules
  if (sideSeconds > 0) {
    context.progress(`side by side, ${rules.ring} ring`, share)
    await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, signal)
    const take = () => sideBySide(contenders, shared, sideSeconds, calibrator, signal)
    beside = await attempts.take('side by side', take)
  }
  return result()
}
