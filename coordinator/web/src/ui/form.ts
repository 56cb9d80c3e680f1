// Owns where a refused form shows its problem: beside the field that the answer names, or below the form.
import { Problem } from "../api/problem";

export function fieldError(error: unknown, field: string): string | null {
  return error instanceof Problem && error.field === field ? sentence(error.message, field) : null;
}

/** Beside the field, the field's name need not be said again. */
function sentence(message: string, field: string): string {
  const text = message.toLowerCase().startsWith(`${field.toLowerCase()}: `) ? message.slice(field.length + 2) : message;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function isFieldError(error: unknown, fields: readonly string[]): boolean {
  return error instanceof Problem && error.field !== null && fields.includes(error.field);
}
