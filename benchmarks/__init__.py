"""What the README's figures come from: each module measures a whole, real hub and prints JSON."""
