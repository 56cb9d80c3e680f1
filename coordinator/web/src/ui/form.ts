// Owns where a refused form shows its problem: beside the field that the answer names, or below the form.
import { Problem } from "../api/problem";

export function fieldError(error: unknown, field: string): string | null {
  return error instanceof Problem && error.field === field ? error.message : null;
}

export function isFieldError(error: unknown, fields: readonly string[]): boolean {
  return error instanceof Problem && error.field !== null && fields.includes(error.field);
}
