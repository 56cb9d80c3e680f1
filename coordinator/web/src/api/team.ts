// Owns which team this browser works in. The server defaults to the first team when none is named.

const KEY = "hydron.team";

export function currentTeam(): string | null {
  return localStorage.getItem(KEY);
}

export function chooseTeam(id: string | null): void {
  if (id === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, id);
}

export function teamHeaders(): Record<string, string> {
  const team = currentTeam();
  return team === null ? {} : { "Hydron-Team": team };
}
