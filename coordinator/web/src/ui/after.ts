// Owns what happens after a change: it happens even when the button that asked is gone by then, because the event
// stream often tells of a change before its own answer arrives.

export function after<T>(work: Promise<T>, then: (value: T) => void, failed: (error: unknown) => void = () => undefined): void {
  void work.then(then, failed);
}
