/** `target` with methods of `own` in place of its own. */
export function override<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get(_target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof T]
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
