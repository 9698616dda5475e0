// An element of ours at the head of somebody else's comma list, put there and taken out again.

/** Ours first, then what stood there byte for byte, but for further copies of ours. */
export function withHead(list: string | null, element: string): string {
  const rest = list === null ? '' : withoutElement(list, element)
  return rest.trim() === '' ? element : `${element},${rest}`
}

/** The list without any copy of the element; all else byte for byte. */
export function withoutElement(list: string, element: string): string {
  if (!list.includes(element)) return list
  return list
    .split(',')
    .filter(each => each.trim() !== element)
    .join(',')
}
