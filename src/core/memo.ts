// Values that depend on one object alone, made once for each: admission asks for the same few again and again.

/** Pure to the outside if `make` is; what was made goes with its object. */
export function perObject<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>()
  return key => {
    const known = made.get(key)
    if (known !== undefined) return known
    const value = make(key)
    made.set(key, value)
    return value
  }
}
