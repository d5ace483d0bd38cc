"""Payment requests, wallets, vouchers and bank debits among what a company does in chaos."""
